"""Keras layers that the models are made of; every one takes its mask as an argument."""
