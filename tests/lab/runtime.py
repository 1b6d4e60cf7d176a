"""Lambda's part: execution environments with the variables that the account holds, and their replacement after an update.

An invocation runs in an environment that is free, or in a new one. While an update is in progress, the former configuration serves; afterwards, new
environments do, and one that is at work finishes (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html). The emulator that holds the
account runs functions too, but ends those at work when the configuration changes, which Lambda does not.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

CODE = Path(__file__).with_name("function.py")


class Environment:
    """One process with the variables of one configuration."""

    def __init__(self, revision, variables):
        self.revision = revision
        kept = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PGSSLMODE": "disable"}
        self.host = variables["DB_HOST"]
        self.process = subprocess.Popen([sys.executable, CODE], env=kept | variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def invoke(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip() or "the environment ended"

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(30)


class Function:
    """A function of the account, called any number of times at once."""

    def __init__(self, client, name):
        self.client, self.name, self.lock, self.free, self.over = client, name, threading.Lock(), [], threading.Event()
        self.revision, self.variables = self.configuration()
        self.watcher = threading.Thread(target=self.watch)
        self.watcher.start()

    def configuration(self):
        while True:
            held = self.client.get_function_configuration(FunctionName=self.name)
            if held["LastUpdateStatus"] == "Successful":
                return held["RevisionId"], held["Environment"]["Variables"]
            time.sleep(0.05)

    def watch(self):
        while not self.over.wait(0.1):
            revision, variables = self.configuration()
            if variables != self.variables:
                with self.lock:
                    self.revision, self.variables = revision, variables
                    former, self.free = self.free, []
                for environment in former:
                    environment.end()

    def invoke(self):
        """One invocation: the host of its environment, and its outcome."""
        with self.lock:
            environment = self.free.pop() if self.free else None
            revision, variables = self.revision, self.variables
        if environment is None:
            environment = Environment(revision, variables)
        outcome = environment.invoke()
        with self.lock:
            current = environment.revision == self.revision
            if current:
                self.free.append(environment)
        if not current:
            environment.end()
        return environment.host, outcome

    def stop(self):
        self.over.set()
        self.watcher.join()
        for environment in self.free:
            environment.end()
