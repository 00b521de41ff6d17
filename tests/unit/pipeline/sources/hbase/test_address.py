from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.sources.hbase.address import Address
from pipeline.sources.open import open_source


def test_every_part_of_a_url() -> None:
    assert Address.parse("hbase://gate", "X") == Address("gate", 9090)
    assert str(Address.parse("hbase://gate:91/dev_?timeout=0.5&connections=2&batch=7", "X")) == "hbase://gate:91/dev_"
    assert [Address.parse(f"hbase://h/{path}", "X").prefix for path in ("dev", "dev_", "a%3A", "")] == [
        "dev_",
        "dev_",
        "a:",
        "",
    ]
    found = Address.parse(
        "hbase://gate:91/ns%3A?timeout=0.5&connections=2&batch=7&transport=framed&protocol=compact", "X"
    )
    assert found == Address("gate", 91, "ns:", 0.5, 2, 7, "framed", "compact")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("hbase:///x", "names no host"),
        ("hbase://h:port/", "not an address"),
        ("hbase://h:99999/", "not an address"),
        ("hbase://u:pw@h/", "takes no user and password"),
        ("hbase://h/?timeout=0", "timeout=0 is not a positive number"),
        ("hbase://h/?timeout=nan", "timeout=nan"),
        ("hbase://h/?batch=1.5", "batch=1.5"),
        ("hbase://h/?connections=-1", "connections=-1"),
        ("hbase://h/?transport=pigeon", "none of buffered, framed"),
        ("hbase://h/?batches=3", "no such option: batches"),
    ],
)
def test_what_is_wrong_is_named_and_a_password_is_not(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as failed:
        open_source(url, "DAYSPRING_ADS_URL")
    assert "DAYSPRING_ADS_URL" in str(failed.value)
    assert "pw" not in str(failed.value)
