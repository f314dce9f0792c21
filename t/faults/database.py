"""The rows at the end of a run, read with the client program of the database."""
import datetime
import decimal
import subprocess
import sys

from history import Database

TABLES = {
    "orders": "id:int shop_id:int customer_id:int customer_name status total_amount:money order_notes list_image_url order_type "
              "scheduled_pickup_time:time estimated_preparation_minutes:int version:int created_at:time updated_at:time "
              "accept_by:time cancelled_by cancel_reason",
    "order_items": "order_id:int line:int product_id:int product_name quantity:int price_at_time_of_order:money stock_taken:int",
    "order_history": "order_id:int version:int status estimated_preparation_minutes:int total_amount:money set_by_id:int set_by_role at:time",
    "idempotency_keys": "customer_id:int idem_key order_id:int answer",
    "events": "channel_kind:int channel_id:int seq:int pub_no:int outbox_id:int at:time body",
    "outbox": "id:int channel_kind:int channel_id:int order_id:int order_version:int body",
    "products": "id:int shop_id:int stock:int",
    "push_refusals": "pub_no:int instance status:int",
    "order_deadlines": "order_id:int accept_by:time",
}


def _time(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


READERS = {"int": int, "money": decimal.Decimal, "time": _time, "": lambda text: sys.intern(bytes.fromhex(text).decode())}


def client(stack):
    return ["mariadb", f"--defaults-file={stack.dir}/etc/client.cnf", "--connect-timeout=5", "--quick", "-N", "-B", "-D", "pickup"]


def ask(stack, statement, patience=60):
    """Rows as lists of text; None where the database does not answer."""
    done = subprocess.run(client(stack), input=statement.encode(), capture_output=True, timeout=patience)
    if done.returncode:
        return None
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def answers(stack):
    try:
        return ask(stack, "SELECT 1", patience=5) == [["1"]]
    except subprocess.TimeoutExpired:
        return False


def read_table(stack, table):
    columns = [column.partition(":")[::2] for column in TABLES[table].split()]
    wanted = ", ".join(name if kind else f"HEX({name})" for name, kind in columns)
    found = []
    # Row by row: there are many.
    with subprocess.Popen(client(stack) + ["-e", f"SELECT {wanted} FROM {table}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            texts = line.rstrip("\n").split("\t")
            found.append({name: None if text == "NULL" else READERS[kind](text) for (name, kind), text in zip(columns, texts)})
    assert process.returncode == 0, f"{table} can't be read"
    return found


def read(stack):
    names = ("orders", "order_items", "order_history", "idempotency_keys", "events", "outbox", "products", "push_refusals", "order_deadlines")
    return Database(*(read_table(stack, name) for name in names))
