# The image of every Airflow process, of training and of the seed: the project with its pinned packages.
FROM python:3.11.13-slim-bookworm

# bash and procps: tasks run commands; libgomp1: TensorFlow's and scipy's threads.
RUN apt-get update \
    && apt-get install -y --no-install-recommends bash curl procps libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home dayspring \
    && mkdir -p /project /data /airflow \
    && chown dayspring:dayspring /project /data /airflow

WORKDIR /project
COPY requirements.txt requirements-docker.txt ./
# Byte code for all: without it TensorFlow takes four times as long to import, in every task.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        -r requirements.txt -r requirements-docker.txt \
    && (python -m compileall -q -j 0 /usr/local/lib/python3.11/site-packages >/dev/null 2>&1 || true)

COPY --chown=dayspring:dayspring pipeline pipeline
COPY --chown=dayspring:dayspring models models
COPY --chown=dayspring:dayspring examples examples
COPY --chown=dayspring:dayspring ops ops
COPY --chown=dayspring:dayspring plugins plugins
COPY --chown=dayspring:dayspring dags dags
COPY --chown=dayspring:dayspring sql sql
COPY --chown=dayspring:dayspring conf conf
COPY --chown=dayspring:dayspring docker/airflow docker/airflow

USER dayspring
ENV PYTHONPATH=/project \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    AIRFLOW_HOME=/airflow \
    DAYSPRING_ROOT=/data
CMD ["airflow", "version"]
