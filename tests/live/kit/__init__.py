"""What `run` and `clean` consist of."""
