// SPDX-License-Identifier: MIT

/// @file
/// `main` where there is no libFuzzer: runs the target once on every file in the folders given.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char* argv[]) {
    namespace fs = std::filesystem;
    try {
        std::vector<fs::path> inputs;
        for (int i = 1; i < argc; ++i) {
            for (const auto& entry : fs::recursive_directory_iterator{argv[i]}) {
                if (entry.is_regular_file()) { inputs.push_back(entry.path()); }
            }
        }
        std::sort(inputs.begin(), inputs.end());
        for (const fs::path& input : inputs) {
            std::ifstream stream{input, std::ios::binary};
            const std::vector<char> bytes{std::istreambuf_iterator<char>{stream}, {}};
            std::printf("%s\n", input.string().c_str()); // before the run: the last one printed is the one that broke
            std::fflush(stdout);
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        }
        std::printf("%zu inputs\n", inputs.size());
        return inputs.empty() ? 1 : 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
