"""What a process is told: whom it dies with, when to hold its garbage collector, how to start TensorFlow."""
