# The Debian package: cmake --build BUILD --target package
# Its paths are those of this build directory, so only one that is made for /usr has the target.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        return()
endif()
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME slowd)
set(CPACK_PACKAGE_VENDOR slowd)
set(CPACK_PACKAGE_CONTACT "slowd maintainers <maintainers@slowd.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "says why a machine is slow, who did it and what helps")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"slowd samples the machine all the time and goes through the possible causes of
slowness by elimination: CPU, memory, disks, limits, the boot. Every cause is
measured in one unit, the time that programs lose to it. slowctl diagnose names
the cause, who did it and what started it, who waits, what helps and what was
ruled out; alerts go to the journal.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For systemd-sysusers and systemd-tmpfiles in the maintainer scripts.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "systemd | systemd-standalone-sysusers | systemd-sysusers, init-system-helpers (>= 1.54~)")
# For disk.failing, which without it says that it is missing.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS smartmontools)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/postinst ${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm ${CMAKE_CURRENT_SOURCE_DIR}/debian/conffiles)
include(CPack)
