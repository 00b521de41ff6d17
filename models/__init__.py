"""Recommender models on Keras and the engine that trains them; knows nothing of days, stores or Airflow."""
