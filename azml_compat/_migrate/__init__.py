"""Scripts that use the Azure ML SDK v1: what they use, what of it is there, and how to rewrite them."""
