"""Ways into the service that are not Faust's: plain consumers and servers that write to the doors or the journal."""
