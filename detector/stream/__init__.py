"""The worker's own ground: how records are taken, kept in order, written and acknowledged on Faust and aiokafka."""
