"""The Airflow DAG of the job `ads`: one run, one day; and the one that follows each day."""

from dayspring.daily_dag import daily_dag, report_dag

dag = daily_dag("ads", "Will this user click this advertisement?")
report = report_dag("ads")
