"""How the payloads of each kind of sender are read: one file a dialect (`stream.gateways.dialect` says what it has to have)."""
