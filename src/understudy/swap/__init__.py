"""The face swap: a shared-encoder, two-decoder autoencoder with a mask, its training, and the blending into video."""
