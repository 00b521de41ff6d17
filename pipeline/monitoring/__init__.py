"""What looks at artefacts and changes none."""
