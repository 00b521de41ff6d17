"""What a job over tables that nobody has described could be: looked at, judged, written down."""
