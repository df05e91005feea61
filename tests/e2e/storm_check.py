# SPDX-License-Identifier: MIT
"""The invariants of doc/naming.md 2, checked over what a naming store holds, version by
version, with a journal of who was promised what. Pure: no store and no clock in here.

A State is a store at one moment: slots by any key, control by service, nodes by id.

The journal's lines are TIME WORD ID SERVICE MORE..., written by who starts the programs:
  begin ID SERVICE IP TYPE       a registrar of that node starts (written before it does)
  over ID SERVICE                it ended without a word, or was killed
  told ID SERVICE NAME BEGAN     it printed that name and exit 0: acknowledged
  master ID SERVICE NAME BEGAN   the same of a change-over
  ending ID SERVICE              from here nobody is promised anything: to be released, or
                                 dead (written before anybody is told so)
"""
import collections
import re

NUMBER = re.compile(r"^(0|[1-9][0-9]*)$")
# So long may a write of a program that ended be under way.
UNDER_WAY = 60.0
INVARIANTS = ("I1", "I2", "I3", "I4", "I5", "I6", "I7")


class State:
    def __init__(self, slots=None, control=None, nodes=None):
        self.slots, self.control, self.nodes = slots or {}, control or {}, nodes or {}

    def copy(self):
        return State(dict(self.slots), dict(self.control), dict(self.nodes))

    def op(self, service):
        control = self.control.get(service) or {}
        return control.get("op") or None, control.get("epoch") or 0

    def gone(self, node_id):
        node = self.nodes.get(node_id) or {}
        return bool(node.get("left") or node.get("dead"))


def occupant(slot):
    return (slot.get("instance_id") or "") if slot else ""


def master_of(service):
    return service + "-master"


def number_of(slot):
    """Of a slot that is no master; None where the name is not one of ours."""
    service, name = slot.get("service", ""), slot.get("hostname", "")
    start = service + ("-slave-" if slot.get("service_type") == "masterful" else "-")
    rest = name[len(start):]
    if not name.startswith(start) or not NUMBER.match(rest):
        return None
    return int(rest)


class Broken(Exception):
    pass


class Checker:
    def __init__(self):
        self.state = State()
        self.when = 0.0
        self.service, self.ip = {}, {}        # of each id, from the journal
        self.promised, self.pending = {}, []  # id: since when; tolds not due yet
        self.ended = {}                       # id: when its promise ended
        self.runs = collections.defaultdict(list)   # id: [begun, over or None]
        self.named = collections.defaultdict(dict)  # id: {epoch: when it was m}
        self.blank = {}                       # (name, reg): since when
        self.masters = collections.defaultdict(list)  # (since, when, id, epoch, every)
        self.places = collections.defaultdict(list)   # id: (since, when, hostname)
        self.recent = collections.deque(maxlen=4000)  # (when, words): for a trace
        self.claims = []                      # told or master, to be judged later
        self.versions = 0
        self.counts = collections.Counter()
        self.found = []                       # what is broken, in words

    # ---- the journal ----

    def line(self, text):
        time, word, node_id, service, *more = text.split()
        time = float(time)
        self.counts[word] += 1
        self.recent.append((time, "-- " + text.split(" ", 1)[1]))
        if word == "begin":
            self.service[node_id], self.ip[node_id] = service, more[0]
            self.runs[node_id].append([time, None])
        elif word in ("told", "master", "over") and self.runs[node_id]:
            self.runs[node_id][-1][1] = time
        if word in ("told", "master"):
            if self.ended.get(node_id, 0) < time:
                self.pending.append((time, node_id))
            self.claims.append((word, float(more[1]), time, node_id, service, more[0]))
        elif word == "ending":
            self.ended[node_id] = time
            self.promised.pop(node_id, None)

    def _due(self, when):
        """What was acknowledged before this moment counts from here on."""
        rest = []
        for time, node_id in self.pending:
            if time >= when:
                rest.append((time, node_id))
            elif self.ended.get(node_id, 0) < time:
                self.promised.setdefault(node_id, time)
        self.pending = rest

    # ---- one version after the other ----

    def version(self, when, state, every, since=None, until=None):
        """The store at that moment. every: no version was missed since the last one.
        Where the moment is not known it came after since, and before until. Raises
        Broken."""
        since, until = since or when, until or when
        self._due(when)
        self.versions += 1
        before, self.state = self.state, state
        self._remember(when, before, state)
        self.when = when
        self.static(state, self.promised)
        self._history(since, when, state, every)
        for key, was in before.slots.items():
            if key not in state.slots:
                self._broken("I4", "%s was deleted" % was.get("hostname"))
        for key, slot in state.slots.items():
            was = before.slots.get(key)
            if was is not slot and was != slot:
                self._changed(since, when, before, state, was, slot, every)
        self._blanks(until, state)
        self._judge(when, every)
        self._done()

    def snapshot(self, state, promised):
        """A read of its own, which the versions are not affected by."""
        self.counts["snapshot"] += 1
        self.static(state, promised)
        self._done()

    def _broken(self, which, words):
        self.found.append("%s: %s" % (which, words))

    def _done(self):
        if self.found:
            raise Broken("\n".join(self.found))

    def static(self, state, promised):
        """What holds in any one state."""
        names, places, numbers = {}, {}, collections.defaultdict(list)
        for slot in state.slots.values():
            name, who = slot.get("hostname") or "", occupant(slot)
            if name and name in names:
                self._broken("I1", "two slots are named %s" % name)
            if who and who in places:
                self._broken("I2", "%s is in %s and in %s" % (who, places[who], name))
            names[name] = slot
            if who:
                places[who] = name
            wanted = self.ip.get(who, slot.get("ip")) if who else ""
            if (slot.get("ip") or "") != wanted:
                self._broken("I6", "%s of %s has the address '%s', not '%s'" % (
                    name, who or "nobody", slot.get("ip"), wanted))
            number = number_of(slot)
            if number is not None:
                numbers[slot.get("service")].append(
                    number - (slot.get("service_type") == "masterful"))
        for service, have in numbers.items():
            if max(have) != len(have) - 1:
                self._broken("I4", "%s-*: the numbers have a hole" % service)
        for name, slot in names.items():
            epoch = slot.get("epoch") or 0
            if epoch > state.op(slot.get("service"))[1]:
                self._broken("I5", "the epoch of %s, %s, is above control's" % (
                    name, epoch))
        for node_id in promised:
            op = state.op(self.service.get(node_id))[0] or {}
            if node_id not in places and node_id not in (op.get("p"), op.get("m")):
                self._broken("I7", "the acknowledged name of %s is lost" % node_id)
        return places

    def _history(self, since, when, state, every):
        """The master, seen over time; I3: once there, it is there in every state."""
        masters = {s.get("service"): s for s in state.slots.values()
                   if s.get("hostname") == master_of(s.get("service", ""))}
        for service, slot in masters.items():
            who, epoch = occupant(slot), slot.get("epoch") or 0
            seen = self.masters[service]
            last = seen[-1][2:4] if seen else ("", 0)
            if epoch < last[1]:
                self._broken("I5", "the epoch of %s went down from %s to %s" % (
                    slot["hostname"], last[1], epoch))
            if not who and last[0] in self.promised and epoch == last[1]:
                self._broken("I3", "%s is blank, and %s lives" % (
                    slot["hostname"], last[0]))
            if not seen or last != (who, epoch):
                seen.append((since, when, who, epoch, every))
        for service in self.masters:
            if service not in masters:
                self._broken("I3", "%s is no longer there" % master_of(service))
        for service, control in state.control.items():
            op = (control or {}).get("op") or {}
            if op.get("m"):
                self.named[op["m"]].setdefault(control["epoch"], since)

    def _changed(self, since, when, before, state, was, slot, every):
        name, service = slot.get("hostname"), slot.get("service")
        old, new = occupant(was), occupant(slot)
        if was is not None and was.get("hostname") != name:
            self._broken("I1", "%s became %s" % (was.get("hostname"), name))
        if old == new:
            return
        if new:
            self.places[new].append((since, when, name))
        one = self._in_one(before, state, service)
        swapped = one and (old, new) == (one["p"], one["m"])  # m into p's slot
        if new and name != master_of(service) and was is not None and (
                not old or swapped):
            self._lowest(state, slot, new, one.get("p", new))
        if not every:
            return
        op, epoch = before.op(service)
        op = op or one
        promotes = op.get("p") == new and slot.get("epoch") == one.get("epoch", epoch)
        if name == master_of(service) and new and not promotes:
            self._broken("I5", "%s went to %s, and no open op says so" % (name, new))
        if old and new and not swapped and (
                name != master_of(service) or op.get("m") != old):
            self._broken("I5", "%s went from %s to %s, and no open op says so" % (
                name, old, new))
        if old in self.promised and not new and not before.gone(old) and (
                name == master_of(service) or op.get("p") != old):
            self._broken("I5", "%s was taken away from %s, and no open op says so" % (
                name, old))

    @staticmethod
    def _in_one(before, state, service):
        """A change-over in one transaction, as an op: control's epoch rises by one, no op
        is open before or after, and the master has that epoch. Both must have a place in
        this very version, which promises and I2 see to."""
        (op, epoch), (now, later) = before.op(service), state.op(service)
        was, master = (next((s for s in st.slots.values()
                             if s.get("hostname") == master_of(service)), {})
                       for st in (before, state))
        if op or now or later != epoch + 1 or master.get("epoch") != later:
            return {}
        return {"p": occupant(master), "m": occupant(was), "epoch": later}

    def _lowest(self, state, slot, who, by):
        """I4: a lower slot that was blank since before the program of by began, which put
        who there, is a fault. (One that became blank meanwhile may be missed rightly.)"""
        began = [b for b, over in self.runs[by]
                 if over is None or over > self.when - UNDER_WAY]
        began += [b for b in self.named[who].values() if b > self.when - UNDER_WAY]
        if not began:
            return
        taken = number_of(slot)
        for other in state.slots.values():
            if other.get("service") != slot.get("service") or occupant(other):
                continue
            number = number_of(other)
            since = self.blank.get((other.get("hostname"), other.get("reg")))
            if None in (number, since):
                continue
            if number < taken and since < min(began) - 0.05:
                self._broken("I4", "%s claimed %s, and %s was blank since %.3f" % (
                    who, slot["hostname"], other["hostname"], since))

    def _blanks(self, when, state):
        now = {(s.get("hostname"), s.get("reg")) for s in state.slots.values()
               if not occupant(s)}
        self.blank = {key: self.blank.get(key, when) for key in now}

    # ---- what the programs said ----

    def _judge(self, when, every):
        """A word that was given is judged once a version after it was seen."""
        rest = []
        for claim in self.claims:
            if claim[2] >= when:
                rest.append(claim)
            elif claim[0] == "master":
                self._was_master(*claim[1:5])
            elif every:
                self._was_told(*claim[1:])
        self.claims = rest

    @staticmethod
    def _meets(seen, i, began, ended):
        """Does what was seen at i, until the next was, fall into that time?"""
        until = seen[i + 1][1] if i + 1 < len(seen) else float("inf")
        return seen[i][0] <= ended + 0.05 and until >= began - 0.05

    def _was_master(self, began, ended, who, service):
        """I5: a change-over that was reported done has made its node master at some time
        of its run. Where versions were missed just then, nobody knows."""
        seen = self.masters[service]
        for i, (since, when, held_by, _, every) in enumerate(seen):
            missed = not every and since <= ended + 0.05 and when >= began - 0.05
            if missed or (held_by == who and self._meets(seen, i, began, ended)):
                return
        self._broken("I5", "%s was told that it is the master of %s, and never was" % (
            who, service))

    def _was_told(self, began, ended, who, service, name):
        """I7: the name that was acknowledged was the node's at some time of the run."""
        seen = self.places[who]
        for i, (_, _, place) in enumerate(seen):
            if place == name and self._meets(seen, i, began, ended):
                return
        self._broken("I7", "%s was told that it is %s, and never was" % (who, name))

    # ---- the end ----

    def rest(self):
        """I6, once nobody is at work any more."""
        self._due(float("inf"))
        self._judge(float("inf"), False)
        state = self.state
        places = self.static(state, self.promised)
        for service in state.control:
            if state.op(service)[0]:
                self._broken("I6", "the change-over to %s is open" % master_of(service))
        for who, name in places.items():
            if state.gone(who):
                self._broken("I6", "%s holds %s, and is dead or released" % (who, name))
            if who not in self.promised:
                self._broken("I6", "%s holds %s, and nobody was told so" % (who, name))
        for who in self.promised:
            if who not in places:
                self._broken("I6", "%s has no name" % who)
        self._done()

    # ---- words ----

    def _remember(self, when, before, after):
        for what in ("slots", "control", "nodes"):
            old, new = getattr(before, what), getattr(after, what)
            for key, doc in new.items():
                was = old.get(key)
                if was is not doc and was != doc:
                    self.recent.append((when, self._words(what, key, doc)))

    @staticmethod
    def _words(what, key, doc):
        if what == "slots":
            return "%s: '%s' %s reg %s epoch %s" % (
                doc.get("hostname"), occupant(doc), doc.get("ip"), doc.get("reg"),
                doc.get("epoch"))
        if what == "control":
            op = doc.get("op") or {}
            named = "p '%s' m '%s'" % (op.get("p"), op.get("m")) if op else "no op"
            return "control %s-master: epoch %s, %s" % (key, doc.get("epoch"), named)
        return "node %s: gen %s left %s dead %s" % (
            key, doc.get("gen"), doc.get("left"), bool(doc.get("dead")))

    def trace(self, words, n=40):
        """The last that was seen of the ids, names and services that those words name."""
        about = named_in(words)
        found = [e for e in self.recent if about & named_in(e[1])]
        return ["%.3f %s" % e for e in found[-n:]]


def named_in(words):
    """Ids and names, and of names the service too."""
    found = {w.strip(",:'") for w in words.split() if "-" in w}
    return found | {re.sub(r"-(master|slave-\d+|\d+|\*)$", "", w) for w in found
                    if not w.startswith("i-")}
