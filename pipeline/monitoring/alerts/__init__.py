"""Alerts: what of a day somebody should look at, told once by each way that is configured.

``evaluate`` finds the causes in a day's artefacts, ``deliver`` sends those that have not been sent.
"""
