"""People with tastes before the suite's recommendations: do the lists get better?"""
