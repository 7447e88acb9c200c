"""The ground floor: what every room above may use, and what knows none of them."""
