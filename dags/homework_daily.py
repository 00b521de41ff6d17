"""The Airflow DAG of the job `homework`: one run, one day; and the one that follows each day."""

from dayspring.daily_dag import daily_dag, report_dag

dag = daily_dag("homework", "Which homework will this teacher set today?")
report = report_dag("homework")
