from judged import astronaut_crops, filmed, hopper_crops, nobody, store, synthetic

__all__ = ["astronaut_crops", "filmed", "hopper_crops", "nobody", "store", "synthetic"]
