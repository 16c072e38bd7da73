"""No test reaches anything but this machine."""

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80), ("10.0.0.1", 5432)])
def test_a_connection_that_would_leave_this_machine_is_refused(address: tuple[str, int]) -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match="loopback"):
        client.connect(address)


def test_a_connection_over_ipv6_that_would_leave_this_machine_is_refused() -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(RuntimeError, match="loopback"):
        client.connect_ex(("2001:db8::1", 80))


def test_a_name_that_would_be_asked_of_another_machine_is_refused() -> None:
    with pytest.raises(RuntimeError, match="loopback"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_a_connection_on_the_loopback_interface_works() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5) as client,
    ):
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"
