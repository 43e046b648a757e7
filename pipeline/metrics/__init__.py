"""Is it the same distribution? Each metric compares drawn images with real ones that no training saw.

features.py turns images into what is compared, reference.py keeps what is taken of the real ones once; each
other module is one idea as pure functions; measure.py takes them all. Every value is worth reading only
beside its noise floor: the same metric between two sets of real images of that size.
"""
