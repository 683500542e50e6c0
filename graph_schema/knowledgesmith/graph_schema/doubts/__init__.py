"""What may be true though nothing says so for certain: suspected from names, never asked, never offered as false."""
