#!/bin/bash
# Starts TensorFlow Serving for one job once there is a released version; before the first one it would wait for ever
# without answering. Every version that is there is loaded, so clients ask for the one that the release's pointer
# names, by number: /v1/models/JOB/versions/N.
set -eu
FOLDER="/models/${BUCKET}/${PREFIX}/${JOB}/models"
until compgen -G "$FOLDER/*/saved_model.pb" >/dev/null; do
    touch /tmp/waiting
    sleep 5
done
rm -f /tmp/waiting
cat >/tmp/models.config <<CONFIG
model_config_list {
  config {
    name: "${JOB}"
    base_path: "${FOLDER}"
    model_platform: "tensorflow"
    model_version_policy { all {} }
  }
}
CONFIG
exec tensorflow_model_server --port=8500 --rest_api_port=8501 --model_config_file=/tmp/models.config
