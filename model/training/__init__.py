"""The training of a network, from its settings to what a person looks at afterwards."""
