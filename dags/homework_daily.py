"""The Airflow DAG of the job `homework`: one run, one day."""

from dayspring.daily_dag import daily_dag

dag = daily_dag("homework", "Which homework will this teacher set today?")
