"""Machines as no demonstration has them: two tests see that the model and each engine tell the same of them."""

from __future__ import annotations

from typing import get_args

from simulator.calls import AtPage
from simulator.scenario import RESTART_SIGNS, Scenario

ODD = Scenario.model_validate(
    {
        "scripts": {
            "http://annet.example/p.pac": {"*": "PROXY proxy.annet.example:3128; DIRECT"},
            "http://wpad.rar.example/wpad.dat": {"*": "PROXY inne.rar.example:3128"},
            "http://binary.example/p.pac": {"interactor.dips.no": "PROXY b.example:1"},
            "http://vpn.example/p.pac": {},
            "http://services.example/p.pac": {},
            "http://policy.example/p.pac": {},
            "http://whole.example/p.pac": {},
            "http://long.example/p.pac": {},
        },
        "pages": {
            "annet.example": {"/p.pac": {"body": "function FindProxyForURL(u, h) { return 1; }"}},
            "wpad.rar.example": {
                "/wpad.dat": {"body": "function FindProxyForURL() { return 'PROXY inne.rar.example:3128'; }"}
            },
            "binary.example": {"/p.pac": {"body": "function FindProxyForURL() { return 'PROXY b.example:1'; }"}},
            "vpn.example": {"/p.pac": {"status": 404, "body": "gone"}},
            "services.example": {"/p.pac": {"body": "// \U0001f600"}},
            "policy.example": {"/p.pac": {"body": ""}},
            "whole.example": {"/p.pac": {"body": "f" * 65_536}},
            "long.example": {"/p.pac": {"body": "\U0001f600" + "f" * 65_535}},
            "interactor.dips.no": {"*": {"body": "<h2>Logg&nbsp;inn</h2><script>x()</script>&amp;"}},
        },
        "sites": {
            "9001": {
                "domain": "rar.example",
                "interactor": {"service": "stopped", "version": "6.1.9", "mode": "server_in_cloud"},
                "server": {
                    "computer_name": "GAMLESRV",
                    "uptime_hours": 0.25,
                    "free_gb": 3.14,
                    "memory_mb": 4095,
                    "clock_offset_seconds": -400,
                    "sleep_minutes": 30,
                    "hibernate_minutes": None,
                    "pending_restart": list(RESTART_SIGNS),
                    "scheduled_restarts": ["2027-05-19T03:00:00+02:00", "2027-05-18T23:00:00Z", "2027-05-19T01:00:00Z"],
                    "proxies": [{"proxy_enable": 1, "proxy_server": "p:8080", "proxy_override": "<local>"}, {}],
                    "proxy_per_machine": True,
                },
                "clients": [
                    {"name": "pc1", "proxies": []},
                    {"name": "pc2", "time_zone": "UTC", "winhttp_proxy": ""},
                    {
                        "name": "pc3",
                        "proxies": [
                            {"loaded": False},
                            {"loaded": False, "kind": "roaming", "proxy_enable": 1, "proxy_server": "ola:hemmelig@p:1"},
                            {"loaded": False, "kind": "backup", "hive": "damaged"},
                            {"loaded": False, "hive": "missing"},
                            {"kind": "temporary", "policy": True, "connections": {"proxy_enable": 1}},
                            {"saved": {"auto_config_url": None}, "auto_config_url": r"C:\Users\kari\min.pac"},
                        ],
                        "machine_proxy": {"proxy_enable": 1, "proxy_server": "m:8080", "auto_config_url": None},
                        "winhttp_proxy": "w:8080",
                        "environment": {"https_proxy": "http://ola:hemmelig@p:8080"},
                    },
                    {"name": "pc4", "direct": False, "proxies": [{"auto_config_url": "http://annet.example/p.pac"}]},
                    {
                        "name": "pc5",
                        "dead_proxies": ["proxy.annet.example:3128"],
                        "proxies": [{"auto_config_url": "http://annet.example/p.pac"}],
                        "page_trouble": {"kind": "intercepted", "trusted": False},
                        "tls_allowed": False,
                        "time_server": False,
                        "unknown_names": ["speedtest.dips.no"],
                        "active_hours": None,
                        "power_plan": "Balansert",
                        "addresses": [],
                    },
                    {"name": "pc6", "overdue": ["scripts", "power", "clock"]},
                    {"name": "pc7", "overdue": ["proxy", "pages"]},
                    {"name": "pc8", "overdue": ["pages"]},
                    *({"name": f"pc-{kind.replace('_', '-')}", "page_trouble": kind} for kind in get_args(AtPage)),
                    {
                        # Scripts that stand in one place only, of all kinds.
                        "name": "pc9",
                        "proxies": [
                            {
                                "auto_config_url": None,
                                "connections": {"auto_config_url": "http://binary.example/p.pac", "auto_detect": True},
                                "saved": {"auto_config_url": "http://vpn.example/p.pac"},
                            }
                        ],
                        "machine_proxy": {"auto_config_url": "http://whole.example/p.pac", "auto_detect": True},
                        "machine_policy": {"auto_config_url": "http://policy.example/p.pac"},
                        "winhttp_script": "http://services.example/p.pac",
                        "wpad": "http://wpad.rar.example/wpad.dat",
                    },
                    {
                        # One more than are asked for, and nothing that detection finds.
                        "name": "pc10",
                        "proxies": [
                            {"auto_config_url": f"http://{name}.example/p.pac", "auto_detect": True}
                            for name in ("annet", "binary", "vpn", "services", "policy", "long")
                        ],
                        "proxy_per_machine": True,
                        "machine_proxy": {"auto_config_url": "http://whole.example/p.pac"},
                    },
                    {
                        "name": "pc11",
                        "proxies": [{"auto_detect": True, "loaded": False}, {"loaded": False, "hive": "damaged"}],
                        "detection": False,
                        "wpad": "http://wpad.rar.example/wpad.dat",
                    },
                    {
                        # A name that leads to a server without a script.
                        "name": "pc13",
                        "proxies": [{"auto_detect": True}],
                        "wpad": "http://vpn.example/p.pac",
                    },
                    {
                        # What is detected is named already, where no program looks, and is ticked for the machine.
                        "name": "pc12",
                        "proxies": [{"saved": {"auto_config_url": "http://wpad.rar.example/wpad.dat"}}],
                        "proxy_per_machine": True,
                        "machine_proxy": {"auto_config_url": None, "auto_detect": True},
                        "wpad": "http://wpad.rar.example/wpad.dat",
                    },
                ],
            },
            "9002": {"domain": "tom.example", "interactor": {"service": "missing"}, "clients": ["pc1"]},
        },
    }
)
