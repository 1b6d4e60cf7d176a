"""The functions of the stack, called; and where their queries went."""

import json

from kit.evidence import direct, through
from kit.stops import Failed


def invoke(stack, name, event=None, qualifier=None):
    """A function's answer."""
    given = {"Qualifier": qualifier} if qualifier else {}
    answer = stack.account.asked(stack.functions.invoke, FunctionName=stack.function(name), Payload=json.dumps(event or {}).encode(), **given)
    payload = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Failed(f"{stack.function(name)}: {payload.get('errorType')}: {str(payload.get('errorMessage'))[:200]}")
    return payload


def interfaces(stack):
    return stack.account.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "vpc-id", "Values": [stack.outputs["VpcId"]]}])


def created(stack, engine, host, port, plugins=False):
    """The users of a database."""
    answer = invoke(stack, "setup", {"do": "users", "engine": engine, "host": host, "port": port, "plugins": plugins})
    if not answer["ok"]:
        raise Failed(f"{answer['error']}: {answer['message']}")
    missing = {name: made for name, made in answer["users"].items() if made != "created" and name in ("token", "app")}
    if missing:
        raise Failed(f"users of {host}: {missing}")
    return ", ".join(f"{name}: {made if isinstance(made, str) else made['message']}" for name, made in answer["users"].items())


def judged(answers, judge):
    """What each function's query shows; Failed where a point does not hold."""
    wrong, right = [], []
    for name, answer in answers.items():
        for point in judge(answer):
            (right if point.held else wrong).append(f"{name}: {point.what} ({point.seen})")
    if wrong:
        raise Failed("; ".join(wrong))
    return "; ".join(right)


def called(stack, database):
    """Each function's answer, by the name that its callers use."""
    return {f"{name}:{qualifier}" if qualifier else name: invoke(stack, name, qualifier=qualifier) for name, qualifier in database.functions}


def went_directly(stack, database):
    answers, held = called(stack, database), interfaces(stack)
    stack.report.file(f"{database.key}-direct.json", json.dumps(answers, indent=1))
    return judged(answers, lambda answer: direct(answer, held, database.host, stack.outputs["FunctionGroup"]))


def went_through(stack, database, proxy):
    answers, held = called(stack, database), interfaces(stack)
    stack.report.file(f"{database.key}-through.json", json.dumps(answers, indent=1))
    group, names = proxy["VpcSecurityGroupIds"][0], (proxy["DBProxyName"], proxy["DBProxyArn"].rpartition(":")[2])
    return judged(answers, lambda answer: through(answer, held, proxy["Endpoint"], names, group))
