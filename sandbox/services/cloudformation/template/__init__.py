"""Templates: parsing, parameters, conditions, intrinsic functions. Pure: no API call is made from here."""
