// The module's types arrive with its first working step.
