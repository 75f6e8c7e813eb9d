"""Model servers as processes and the routes that lead requests to them."""
