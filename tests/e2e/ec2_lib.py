# SPDX-License-Identifier: MIT
"""What the tests of aerostatd and a scripted EC2 share."""
import json
import os
import signal
import subprocess
import time

FLEET = [f"i-0{n:016x}" for n in range(20)]


def expect(what, wanted, got):
    if wanted != got:
        raise AssertionError(f"{what}: wanted {wanted}, got {got}")


def put(path, told):
    """A file that is never read half written."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.rename(path + ".new", path)


def fake(processes, *argv):
    """A scripted server, kept in processes; its port."""
    process = subprocess.Popen(["/usr/bin/python3", *argv], stdout=subprocess.PIPE, text=True)
    processes.append(process)
    return int(process.stdout.readline())


def register_fleet(uri, folder):
    """By the product, into a database that tests take copies of."""
    for n, one in enumerate(FLEET):
        subprocess.run(["aerostat-register", f"--server={uri}", "--database=fleet",
                        f"--root={folder}/register", "--loglevel=WARNING", "--service=web",
                        f"--instance-id={one}", f"--ip=10.0.0.{n + 1}"], check=True,
                       stdout=subprocess.DEVNULL)


def copy_fleet(client, name):
    """Its slots, with their indexes, in a database called so."""
    import pymongo  # boto3's Python has none

    fleet, slots = client.fleet.servers, client[name].servers
    slots.insert_many(fleet.find())
    slots.create_indexes([
        pymongo.IndexModel(one.pop("key"), name=name, **{
            key: value for key, value in one.items() if key not in ("v", "ns")})
        for name, one in fleet.index_information().items() if name != "_id_"])
    return slots


def table(heads, rows):
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for cells in filter(None, rows):
        print("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")


class Server:
    """aerostatd as a daemon, with its log in a file."""

    def __init__(self, log, argv, env):
        self.log = log
        with open(log, "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=file,
                                            stderr=subprocess.STDOUT)

    def read(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def wait(self, seconds, what, condition):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}: {self.read()}")
            time.sleep(0.05)

    def stop(self):
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        expect("exit code", 0, self.process.wait(15))
        took = time.monotonic() - start
        expect(f"ended within 5 s ({took:.1f})", True, took < 5)
        return took

    def kill(self):
        self.process.kill()
