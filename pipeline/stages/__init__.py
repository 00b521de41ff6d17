"""The stages of a day, one module each: ``run(context, day, …)`` turns committed artefacts into a new one."""
