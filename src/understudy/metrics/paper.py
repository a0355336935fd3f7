"""The figures of the paper (arXiv 2011.05421, tables 1 and 2), for the report to stand beside."""

URL = "https://arxiv.org/abs/2011.05421"

PAPER = {
    "inception_score": 1.635,
    "inception_score_variance": 0.011,
    "fid": 29.318,
    "openface_mean": 0.401,
    "openface_variance": 0.068,
    "openface_monotone_mean": 0.019,
    "openface_monotone_variance": 0.000,
    "openface_varied_mean": 0.234,
    "openface_varied_variance": 0.019,
    "synthetic": 1000,
    "matched": 929,
    "unmatched": 66,
    "faceless": 5,
}
"""The paper states neither the N and resize filter of its Inception figures nor whether 0.011 is a variance."""
