def run(args, Run):
    return False
