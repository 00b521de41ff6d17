#!/bin/bash
# Run once before Airflow's processes: its database, its login, the pool that serialises training, the bucket.
set -eu
airflow db migrate
airflow pools set train 1 "One training process at a time"
python - <<'PYTHON'
import json, os, pathlib

path = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
path.write_text(json.dumps({"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}))
path.chmod(0o600)

import boto3
from botocore.config import Config

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
try:
    s3.create_bucket(Bucket=os.environ["BUCKET"])
except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
    print("the bucket is there")
PYTHON
