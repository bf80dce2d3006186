def request(): pass
def response(): pass
