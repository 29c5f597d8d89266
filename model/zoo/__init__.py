"""Every method that the papers compare with, trained by one command on the same pictures."""
