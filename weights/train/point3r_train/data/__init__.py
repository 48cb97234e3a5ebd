"""Training data: readers of posed RGB-D layouts, augmentation, mixture sampling."""
