"""Kedro datasets: footage, facesets, pictures, videos, network weights, working folders."""
