"""Numbers and images -> figures, all in one style. Writes nothing; equal inputs give equal bytes."""

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["axes.spines.right"] = matplotlib.rcParams["axes.spines.top"] = False
matplotlib.rcParams["axes.titlesize"] = 9
matplotlib.rcParams["legend.fontsize"] = 8
matplotlib.rcParams["legend.frameon"] = False
