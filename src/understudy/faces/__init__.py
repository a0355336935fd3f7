"""Faces: detection and tracking, landmarks, alignment, masks, embeddings, quality, and the faceset that holds them."""
