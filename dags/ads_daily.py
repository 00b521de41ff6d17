"""The Airflow DAG of the job `ads`: one run, one day."""

from dayspring.daily_dag import daily_dag

dag = daily_dag("ads", "Will this user click this advertisement?")
