# SPDX-License-Identifier: MIT
"""Conan 2 recipe: the headers, and one component for each adapter that is asked for."""
from os.path import join

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, rmdir


class DaybookConan(ConanFile):
    name = "daybook"
    version = "0.1.0"
    license = "MIT"
    description = "Runs a program's background jobs on time and keeps a bounded record of every execution"
    topics = ("scheduler", "cron", "job", "history", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_httplib": [True, False], "with_nlohmann_json": [True, False], "with_sqlite": [True, False]}
    default_options = {"with_httplib": False, "with_nlohmann_json": False, "with_sqlite": False}
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "include/*"
    no_copy_source = True

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        if self.options.with_httplib:
            self.requires("cpp-httplib/[>=0.11.4 <1]")
        if self.options.with_nlohmann_json:
            self.requires("nlohmann_json/[>=3.10 <4]")
        if self.options.with_sqlite:
            self.requires("sqlite3/[>=3.24 <4]")

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.settings.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["DAYBOOK_BUILD_TESTS"] = False
        toolchain.cache_variables["DAYBOOK_BUILD_EXAMPLES"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, join(self.package_folder, "licenses"))
        # Conan writes the package files that its consumers read.
        rmdir(self, join(self.package_folder, "share"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "daybook")
        self.cpp_info.set_property("pkg_config_name", "daybook")
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []

        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "daybook::daybook")
        core.set_property("pkg_config_name", "daybook")
        core.bindirs = []
        core.libdirs = []
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]

        # A requirement that the profile leaves to the platform ([platform_requires]) is no dependency that Conan could link; the
        # program then finds that library as it finds its others.
        resolved = {dependency.ref.name for _, dependency in self.dependencies.direct_host.items()}
        adapters = {
            "httplib": (self.options.with_httplib, "cpp-httplib"),
            "nlohmann_json": (self.options.with_nlohmann_json, "nlohmann_json"),
            "sqlite": (self.options.with_sqlite, "sqlite3"),
        }
        for name, (wanted, library) in adapters.items():
            if wanted:
                component = self.cpp_info.components[name]
                component.set_property("cmake_target_name", f"daybook::{name}")
                component.requires = ["core"] + ([f"{library}::{library}"] if library in resolved else [])
                component.bindirs = []
                component.libdirs = []
