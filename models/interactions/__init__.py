"""What fields make of each other: layers over ``[…, fields, width]`` that models are put together from."""
