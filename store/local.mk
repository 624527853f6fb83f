# store
EXTRA_DIST += store/FORMAT.md
