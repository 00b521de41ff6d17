"""The exported model: a SavedModel that takes raw ids."""
