"""StyleGAN2: networks, operations, augmentation, losses, training, sampling."""
