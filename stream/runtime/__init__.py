"""Where Faust, aiokafka and processes are imported: broker, topics, transport, checkpoints, edge, worker."""
